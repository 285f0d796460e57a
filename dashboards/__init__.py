"""Metrics to people: the Streamlit app, its charts, and the scorecard's forms and delivery."""
