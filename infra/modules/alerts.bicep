// What somebody has to look at, asked of Application Insights.
@description('A part of the names of all: that of the app.')
param name string

@description('The region.')
param location string

@description('Tags of all.')
param tags object

@description('The Application Insights component.')
param componentId string

@description('Who is mailed; empty for nobody.')
param email string

// A rule looks back twice as far as it is asked, since telemetry comes late; it stays one alert until it is over.
var rules = [
  {
    name: 'run-failed'
    description: 'A run has failed or was refused. Runbooks: a-run-failed.md, a-job-is-refused.md.'
    severity: 1
    every: 'PT15M'
    window: 'PT30M'
    query: '''
traces
| where severityLevel >= 3
| where message matches regex "^run=[^ ]+ job=[^ ]+ (failed|refused)"
'''
  }
  {
    name: 'run-missed'
    description: 'A job has no run that ended in time after its last occurrence. Runbook: a-schedule-was-missed.md.'
    severity: 1
    every: 'PT30M'
    window: 'PT1H'
    query: '''
traces
| where severityLevel >= 3
| where message matches regex "^run=[^ ]+ job=watchdog rule=missed-run "
'''
  }
  {
    name: 'poison-message'
    description: 'A message was delivered as often as host.json allows, without success. Runbook: a-run-failed.md.'
    severity: 1
    every: 'PT15M'
    window: 'PT30M'
    query: '''
requests
| where operation_Name == "run_worker_poison"
'''
  }
  {
    name: 'configuration'
    description: 'The app is not healthy: something is wrong with steward.toml or the app settings. Runbook: a-job-is-refused.md.'
    severity: 2
    every: 'PT30M'
    window: 'PT1H'
    query: '''
traces
| where severityLevel >= 3
| where message startswith "configuration: "
'''
  }
]

resource receivers 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'steward'
    enabled: true
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

var actions = {
  actionGroups: empty(email) ? [] : [
    receivers.id
  ]
}

resource seen 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${rule.name}-${name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Steward: ${rule.name}'
    description: rule.description
    severity: rule.severity
    enabled: true
    scopes: [
      componentId
    ]
    evaluationFrequency: rule.every
    windowSize: rule.window
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: actions
  }
}]

// `summarize` without `by` gives a row where there is nothing too, so that nothing can be compared with a number.
resource silence 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'watchdog-silent-${name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Steward: watchdog-silent'
    description: 'The watchdog has not succeeded for two hours. Runbook: a-job-is-missing-after-deployment.md.'
    severity: 1
    enabled: true
    scopes: [
      componentId
    ]
    evaluationFrequency: 'PT30M'
    windowSize: 'PT2H'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: '''
traces
| where message matches regex "^run=[^ ]+ job=watchdog succeeded"
| summarize Hits = count()
'''
          timeAggregation: 'Total'
          metricMeasureColumn: 'Hits'
          operator: 'LessThan'
          threshold: 1
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: actions
  }
}
