"""The smallest Streamlit page with a choice and one chart: what every page of ours is measured against."""

import plotly.graph_objects as go
import streamlit as st

choice = st.segmented_control("Choice", ["a", "b"], default="a")
figure = go.Figure(go.Scatter(y=[1, 3, 2] if choice == "a" else [3, 1, 2]))
figure.update_layout(title=f"Choice {choice}")
st.plotly_chart(figure)
