"""Deploy a stage: the CloudFormation stack, the functions by Chalice, and the page."""
