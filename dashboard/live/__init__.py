"""The live numbers of a campaign in a terminal."""
