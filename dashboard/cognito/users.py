"""The users of a stage's user pool, and their groups."""

import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.errors import CommandError

# Cognito accepts addresses to which no email can be delivered; this pattern is stricter.
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")


@dataclass(frozen=True)
class Person:
    """A user of the pool.

    Attributes:
        status: as Cognito names it, such as `FORCE_CHANGE_PASSWORD` until the first sign-in;
            `DISABLED` for a disabled user.
        groups: sorted.
        created: UTC, RFC 3339.
    """

    email: str
    status: str
    groups: list[str]
    created: str


class People:
    """The users of a user pool.

    Args:
        cognito: the boto3 client.
        pool: the ID of the pool.
    """

    def __init__(self, cognito: Any, pool: str) -> None:
        self._cognito = cognito
        self._pool = pool

    def add(self, email: str, groups: tuple[str, ...]) -> bool:
        """Add a user, to whom Cognito sends an invitation; return whether the user is new.

        Missing groups are created. An existing user is added to the groups.

        Raises:
            CommandError: the address is invalid.
        """
        if not _ADDRESS.fullmatch(email):
            raise CommandError(f"{email!r} is not an email address: use the format ann@example.com")
        # Groups first: if a name is rejected, no invitation has been sent yet.
        for group in groups:
            self._make_group(group)
        new = self._invite(email)
        for group in groups:
            self._cognito.admin_add_user_to_group(
                UserPoolId=self._pool, Username=email, GroupName=group
            )
        return new

    def all(self) -> list[Person]:
        """Return all users, sorted by address."""
        groups: dict[str, list[str]] = {}
        for group in self._pages("list_groups", "Groups"):
            name = group["GroupName"]
            for user in self._pages("list_users_in_group", "Users", GroupName=name):
                groups.setdefault(user["Username"], []).append(name)
        found = [
            _person(user, sorted(groups.get(user["Username"], [])))
            for user in self._pages("list_users", "Users")
        ]
        return sorted(found, key=lambda person: person.email)

    def remove(self, email: str) -> None:
        """Delete a user.

        Raises:
            CommandError: no user has this address.
        """
        try:
            self._cognito.admin_delete_user(UserPoolId=self._pool, Username=email)
        except ClientError as error:
            if error.response["Error"]["Code"] != "UserNotFoundException":
                raise
            raise CommandError(
                f"no user with the address {email}: run `users list` to see all users"
            ) from error

    def _invite(self, email: str) -> bool:
        try:
            self._cognito.admin_create_user(
                UserPoolId=self._pool,
                Username=email,
                UserAttributes=[
                    {"Name": "email", "Value": email},
                    {"Name": "email_verified", "Value": "true"},
                ],
                DesiredDeliveryMediums=["EMAIL"],
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "UsernameExistsException":
                raise
            return False
        return True

    def _make_group(self, name: str) -> None:
        try:
            self._cognito.create_group(UserPoolId=self._pool, GroupName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "GroupExistsException":
                raise

    def _pages(self, operation: str, member: str, **arguments: str) -> Any:
        pages = self._cognito.get_paginator(operation).paginate(UserPoolId=self._pool, **arguments)
        return (one for page in pages for one in page[member])


def _person(user: dict[str, Any], groups: list[str]) -> Person:
    attributes = {one["Name"]: one["Value"] for one in user["Attributes"]}
    created = user["UserCreateDate"].astimezone(UTC)
    return Person(
        email=attributes.get("email", user["Username"]),
        status=user["UserStatus"] if user["Enabled"] else "DISABLED",
        groups=groups,
        created=created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
