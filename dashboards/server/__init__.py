"""The dashboard as a process: Streamlit's server, the gate before it, login."""
