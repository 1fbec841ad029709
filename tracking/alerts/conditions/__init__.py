"""The conditions of alert rules: a rule in, its findings out. Each reads a bounded number of rows,
however many hits and deliveries there are.
"""
