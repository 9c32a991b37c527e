"""The checks of `doctor`: each is a function of a Subject that yields Findings."""
