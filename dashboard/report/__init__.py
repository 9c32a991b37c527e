"""Reports of a campaign: a document in HTML, JSON for programs, CSV for spreadsheets."""
