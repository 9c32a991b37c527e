"""What `doctor` looks at: each check takes a Subject and yields Findings."""
