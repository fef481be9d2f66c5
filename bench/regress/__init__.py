"""The gate: is the working tree worse than a baseline in cost, accuracy or run time?"""
