"""The figures of a campaign in the words of the page, for reports and terminals."""
