"""The SNS topic to which alarms are sent."""

from collections.abc import Mapping

from msgspec import Struct

from chalicelib.aws.client import Service


class AlarmTopic(Struct, frozen=True):
    """The stage's alarm topic."""

    sns: Service
    arn: str

    def publish(self, subject: str, text: str, attributes: Mapping[str, str]) -> None:
        """Send a message to the subscribers of the topic.

        https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

        Args:
            subject: at most 100 printable ASCII characters.
            text: the message.
            attributes: message attributes, for the filters of subscriptions; none is empty.

        Raises:
            AwsError: the message could not be sent.
        """
        self.sns.call(
            "publish",
            TopicArn=self.arn,
            Subject=subject,
            Message=text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )
