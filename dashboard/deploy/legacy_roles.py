"""Roles that Chalice made for the functions before the stack defined them.

They have the names of the functions, and a role name is unique in an account across regions: a
stage of the same name in another region may still use them. Therefore a role belongs to this stage
only if its inline policy names this region, or if it has no policy: such a role grants nothing to
any stage, and is left over from an interrupted removal.
"""

from typing import Any

from botocore.exceptions import ClientError

from dashboard.deploy.chalice_resources import function_name
from dashboard.functions import FUNCTIONS


def find(iam: Any, region: str, stage: str) -> list[str]:
    """Return the names of the existing legacy roles of a stage in a region."""
    names = (function_name(stage, function) for function in FUNCTIONS)
    return [name for name in names if _belongs_to(iam, name, region)]


def remove(iam: Any, region: str, stage: str) -> None:
    """Delete these roles, which no function uses anymore."""
    for name in find(iam, region, stage):
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def _belongs_to(iam: Any, role: str, region: str) -> bool:
    try:
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        if not names:
            return True
        # Chalice gives the policy the name of the role.
        found = iam.get_role_policy(RoleName=role, PolicyName=role)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return False
    return any(
        resource.split(":")[3:4] == [region]
        for statement in found["PolicyDocument"]["Statement"]
        for resource in statement["Resource"]
    )
