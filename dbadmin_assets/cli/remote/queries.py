"""The GraphQL that is sent to a deployed Dagster. Tests hold it against the schema of the pinned version."""

from __future__ import annotations

PREFLIGHT = """
query ($location: String!, $job: PipelineSelector!) {
  version
  workspaceOrError { __typename ... on Workspace { locationEntries { name } } ... on Error { message } }
  workspaceLocationEntryOrError(name: $location) {
    __typename
    ... on WorkspaceLocationEntry { loadStatus locationOrLoadError { __typename ... on PythonError { message } } }
    ... on Error { message }
  }
  pipelineOrError(params: $job) {
    __typename
    ... on Pipeline { tags { key value } }
    ... on Error { message }
  }
}"""

LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message path } }
    ... on Error { message }
  }
}"""

RUNS_OF_REQUEST = """
query ($tags: [ExecutionTag!]!) {
  runsOrError(filter: {tags: $tags}, limit: 50) {
    __typename
    ... on Runs { results { runId status parentRunId creationTime } }
    ... on Error { message }
  }
}"""

RUN = """
query ($runId: ID!) {
  runOrError(runId: $runId) {
    __typename
    ... on Run { runId status jobName creationTime tags { key value } }
    ... on Error { message }
  }
}"""

EVENTS = """
query ($runId: ID!, $cursor: String) {
  logsForRun(runId: $runId, afterCursor: $cursor, limit: 1000) {
    __typename
    ... on EventConnection {
      cursor
      hasMore
      events {
        __typename
        ... on MessageEvent { message timestamp stepKey eventType }
        ... on ErrorEvent { error { className message causes { className message } } }
        ... on MaterializationEvent {
          partition
          assetKey { path }
          metadataEntries {
            label
            ... on TextMetadataEntry { text }
            ... on UrlMetadataEntry { url }
            ... on IntMetadataEntry { intRepr }
            ... on FloatMetadataEntry { floatRepr }
            ... on BoolMetadataEntry { boolValue }
          }
        }
      }
    }
    ... on Error { message }
  }
}"""

TERMINATE = """
mutation ($runId: String!, $policy: TerminateRunPolicy!) {
  terminateRun(runId: $runId, terminatePolicy: $policy) {
    __typename
    ... on TerminateRunFailure { message }
    ... on Error { message }
  }
}"""
