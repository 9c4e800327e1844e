"""The endpoints of alerts: an SNS topic, and a webhook over TLS whose URL is a secret."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from http.client import HTTPException
from typing import IO, TYPE_CHECKING, NoReturn

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dbadmin_assets.review.alerts.delivery import Send, UndeliveredError
from dbadmin_assets.review.alerts.formats import WEBHOOK_FORMATS, plain_text, subject
from dbadmin_assets.review.alerts.model import Alert

if TYPE_CHECKING:
    import boto3

    from dbadmin_assets.config import Settings

Endpoints = dict[str, Send]
"""By name, `SNS topic` and `webhook`; empty where none is configured."""

_TIMEOUT_SECONDS = 10
_PASSING = {408, 425, 429}  # a client error that another try may cure


class SnsTopic:
    """Publishes to one topic.

    Args:
        session: the orchestrator's session; topic_arn: also tells the region.
    """

    def __init__(self, session: boto3.Session, topic_arn: str) -> None:
        self._arn = topic_arn
        config = Config(
            connect_timeout=5, read_timeout=_TIMEOUT_SECONDS, retries={"mode": "standard", "total_max_attempts": 2}
        )
        self._sns = session.client("sns", region_name=topic_arn.split(":")[3], config=config)

    def send(self, alert: Alert) -> None:
        """Publish one alert; attributes are for filter policies. A FIFO topic drops repetitions by itself.

        Raises:
            UndeliveredError: SNS did not take it.
        """
        values = {"kind": alert.kind, "severity": alert.severity, "check": alert.check}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in values.items() if value}
        fifo = self._arn.endswith(".fifo")
        in_order = {"MessageGroupId": "db-admin-report", "MessageDeduplicationId": alert.id} if fifo else {}
        try:
            self._sns.publish(
                TopicArn=self._arn,
                Subject=subject(alert),
                Message=plain_text(alert),
                MessageAttributes=attributes,
                **in_order,
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            raise UndeliveredError(f"SNS answered {code}") from error
        except BotoCoreError as error:
            raise UndeliveredError(f"SNS cannot be asked: {type(error).__name__}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect may lead to where there is no TLS, and it would carry the alert there."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Never: the answer is an error then."""
        del req, fp, code, msg, headers, newurl


class Webhook:
    """Posts to one URL. The URL is in no message and no log: urllib's errors are told by their class alone.

    Args:
        url: https; whoever has it may post.
        form: a key of WEBHOOK_FORMATS.
    """

    def __init__(self, url: str, form: str) -> None:
        if not url.startswith("https://"):
            raise ValueError("a webhook must be https")
        self._url = url
        self._format = WEBHOOK_FORMATS[form]
        tls = ssl.create_default_context()  # respects SSL_CERT_FILE
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls), _NoRedirect())

    def __repr__(self) -> str:
        return "Webhook(…)"

    def send(self, alert: Alert) -> None:
        """Post one alert; any 2xx is a delivery.

        Raises:
            UndeliveredError: it was not taken.
        """
        body = json.dumps(self._format(alert)).encode()
        request = urllib.request.Request(  # noqa: S310 - https, see above
            self._url, body, {"Content-Type": "application/json", "User-Agent": "db-admin-report"}, method="POST"
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            error.close()
            status = error.code
        except urllib.error.URLError as error:
            _undelivered(error.reason)
        except (OSError, HTTPException) as error:
            _undelivered(error)
        if not 200 <= status < 300:
            refused = 400 <= status < 500 and status not in _PASSING
            raise UndeliveredError(f"the webhook answered {status}", refused=refused)


def _undelivered(reason: object) -> NoReturn:
    """Without the chain of exceptions: somewhere in it is the URL."""
    kind = "TLS verification failed" if isinstance(reason, ssl.SSLCertVerificationError) else type(reason).__name__
    raise UndeliveredError(f"the webhook cannot be reached: {kind}") from None


def open_endpoints(session: Callable[[], boto3.Session], settings: Settings) -> Endpoints:
    """What is configured.

    Args:
        session: makes the orchestrator's session; not called where there is no topic.
    """
    endpoints: Endpoints = {}
    if settings.alert_topic:
        endpoints["SNS topic"] = SnsTopic(session(), settings.alert_topic).send
    if settings.alert_webhook:
        endpoints["webhook"] = Webhook(settings.alert_webhook, settings.alert_format).send
    return endpoints
