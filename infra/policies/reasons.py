"""Why each statement is there, by policy and Sid: docs/iam-actions.md is made of this, and a test misses nothing."""

from __future__ import annotations

from collections.abc import Mapping

NO_RESOURCE = "these actions know no resource (AWS service authorization reference)"

_INVENTORY = {
    "ReadInventoryObject": "the inventory, where it is an object",
    "ReadInventoryParameter": "the inventory, where it is in Parameter Store: one parameter, or those below it",
}
_ALERTS = {
    "PublishAlerts": "failed checks and runs go to the topic",
    "EncryptAlerts": "the topic's key, through SNS only",
}
_LOGS = {
    "WriteOwnLogs": "its log streams and what it logs; metrics are log lines, too. The groups are there already",
}
_START_UNDER = "a task is started under these two roles, by ECS only"
_KEY_ADMINISTRATION = (
    "administration by the account's IAM, without which a key can become unmanageable for ever (KMS documentation); "
    "neither use nor grants"
)
_TRANSPORT = {
    "DenyInsecureTransport": "TLS only",
    "DenyOldTls": "TLS 1.2 or newer",
    "DenyOutsideOrganization": "nobody from outside the organization; AWS's own services deliver logs",
}

REASONS: Mapping[str, Mapping[str, str]] = {
    "orchestrator role": {
        "AssumeInvokers": "become the invoker of each account, and nothing else there",
        "ReadEvidence": "verdicts are made from the objects; `verify` reads the versions that the manifest names",
        "WriteOwnEvidence": "verdicts, requests, reports, the chain; nothing under `collections/`, the workers' word",
        "ListEvidence": "find reports and results; without it the HEAD of an absent result answers 403 instead of 404",
        "SeeProtection": "`doctor` and the manifest say whether evidence is versioned and locked",
        "KeepEvidenceLonger": "`retention` says how long, and lengthens it; Object Lock refuses to shorten",
        "UseBucketKey": "S3 encrypts and decrypts the objects with it",
        "SignManifests": "the manifest's signature, and `verify`",
        **_INVENTORY,
        **_ALERTS,
    },
    "invoker role": {
        "InvokeWorker": "its whole purpose; the configuration tells version and CodeSha256 for the manifest",
    },
    "worker role": {
        "ReadDatabaseSecrets": "the readers' credentials, of one path of its own account and those declared elsewhere",
        "BecomeOwnWriter": "to put its result it becomes the writer of its account, and no other role",
        "DecryptSecrets": "secrets under a customer key, through Secrets Manager only",
        "ConnectAsReader": "IAM database authentication, as the declared users",
        "AttachToNetwork": f"the network interfaces of a function in a VPC, which Lambda makes; {NO_RESOURCE}",
        "KeepCodeFromNetwork": "the worker's own code must not use what Lambda needs to attach it to the VPC",
        "DiscoverDatabases": f"only where the inventory says `discover`; reads; {NO_RESOURCE}",
        **_LOGS,
    },
    "writer role": {
        "PutOwnResults": "the results of one account, whose id stands literally",
        "EncryptResults": "S3 encrypts the object under the bucket's key",
    },
    "every role": {
        "KeepSecurityLogs": "security logs are not deleted or shortened, whatever else is attached later",
    },
    "role of alarm rules": {"SendAlarms": "a worker account's alarms go to the central bus, and nowhere else"},
    "Dagster's services": {
        "StartRuns": "runs: that one family of tasks, in that cluster",
        "WatchRuns": "see how a run's task is, and stop it",
        "TagRuns": "the tags of the task that RunTask is starting",
        "PassRoles": _START_UNDER,
        "ReadRunLogs": "why a run failed",
        "LookUp": f"reads; {NO_RESOURCE}",
    },
    "Dagster's code location": {
        "ReadLatestReport": "how old the newest report is",
        "SeeLatestReport": "without it a pointer that is not there yet answers 403",
        "DecryptBucket": "what it reads in the bucket is encrypted",
        **_INVENTORY,
        **_ALERTS,
    },
    "Dagster's execution role": {
        "PullImage": "the image, of one repository",
        "LogInToRegistry": "the action knows no resource (AWS service authorization reference)",
        "WriteLogs": "the containers' logs",
        "ReadDatabasePassword": "the password of Dagster's database, handed to the containers",
        "DecryptDatabasePassword": "its key, through Secrets Manager only",
    },
    "Dagster's restart role": {
        "RestartServices": "the scheduler starts the services anew after their database password was rotated",
    },
    "Dagster+ agent": {
        "ServeCodeLocations": "a service per code location, in one cluster",
        "StartTasks": "a task per run, in one cluster",
        "Tag": "Dagster+ finds what is its own by tags",
        "NameCodeLocations": "names of code locations, in one namespace",
        "PassRoles": _START_UNDER,
        "ReadLogs": "why a task failed",
        "LookUpAndRegister": f"reads, and task definitions, whose roles PassRoles limits; {NO_RESOURCE}",
    },
    "evidence bucket": {
        **_TRANSPORT,
        "DenyResultsFromOthers": "only writer roles put results: nobody else can make up a worker's word",
        "DenyOverwriting": "all but verdicts and the pointer to the newest report is written with If-None-Match, once",
        "DenyRemovingEvidence": "no version is deleted by hand, in addition to Object Lock",
        "DenyOtherKeys": "objects are encrypted with the bucket's key and no other",
    },
    "log bucket": {
        **_TRANSPORT,
        "S3AccessLogs": "S3 delivers the buckets' access logs, for the central account",
        "TrailLogs": "CloudTrail delivers the data events of the evidence bucket, of one trail",
        "TrailChecks": "CloudTrail asks before it delivers",
        "LoadBalancerLogs": "the load balancer's access logs",
        "DenyRemovingLogs": "logs go by the lifecycle rule only",
    },
    "evidence key": {
        "AdministerKey": _KEY_ADMINISTRATION,
        "UseThroughS3": "principals of the central account whom IAM lets, through S3 only",
    },
    "signing key": {
        "AdministerKey": _KEY_ADMINISTRATION,
        "SignManifests": "the orchestrator signs",
        "DenySigningByOthers": "nobody else does, administrators included",
    },
    "log key": {
        "AdministerKey": _KEY_ADMINISTRATION,
        "UseForLogGroups": "CloudWatch Logs, for the groups of this account's workers",
    },
    "operations key": {
        "AdministerKey": _KEY_ADMINISTRATION,
        "UseForLogGroups": "CloudWatch Logs, for the central groups",
        "UseForAlarms": "alarms and rules encrypt what they publish",
        "UseThroughServices": "RDS, Secrets Manager and SNS, for principals of the account whom IAM lets",
        "GrantToServices": "RDS and Secrets Manager keep a grant for what they encrypted",
    },
    "alert topic": {
        "AlarmsPublish": "CloudWatch alarms and EventBridge rules of the central account",
        "DenyInsecureTransport": "TLS only",
    },
    "event bus": {"WorkersSendAlarms": "the alarm rules' roles of the organization, and nobody else"},
    "interface endpoint": {"WorkerOnly": "the worker of that account passes, with what its role has, too"},
    "S3 gateway endpoint": {"PutOwnResults": "results of that account, put by its writer role"},
}
"""By policy, then Sid. Trust policies have no Sid; what they say is in docs/security.md."""
