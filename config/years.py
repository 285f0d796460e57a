"""The years that a day or an instant may be of: those before and after are what programs write for none."""

FIRST_YEAR = 1970
LAST_YEAR = 2100
