// Everything that Steward needs in Azure, in a resource group of its own: see README.md here.
// What it may read and change in the estate is not given here but by the roles in roles/, which an administrator assigns.
targetScope = 'subscription'

@description('The name of this environment, such as dev or prod: a part of the names of what is made.')
@minLength(1)
@maxLength(16)
param environmentName string

@description('The region, one that has Flex Consumption: az functionapp list-flexconsumption-locations.')
param location string

@description('The resource group that is made for the app; cleanup leaves it alone.')
param resourceGroupName string = 'rg-steward-${environmentName}'

@description('Whether every write to Azure is forbidden, whatever steward.toml says: the setting STEWARD_READ_ONLY.')
param readOnly bool = false

@description('The id (a GUID) of the Log Analytics workspace that the activity log is sent to; empty for the one that is made here.')
param activityWorkspaceId string = ''

@description('An https address that the watchdog calls at each success; empty where there is none.')
@secure()
param heartbeatUrl string = ''

@description('An apprise URL for operators, where steward.toml reads it; empty where there is none.')
@secure()
param noticeUrl string = ''

@description('A mail server for digests of owners, likewise.')
@secure()
param ownerUrl string = ''

@description('An apprise URL for what has no owner who may be told, likewise.')
@secure()
param fallbackUrl string = ''

@description('More app settings, by name: those that %NAME% in steward.toml reads. What is set elsewhere goes with the next provisioning.')
param extraSettings object = {}

@description('Who is mailed by the alert rules; empty, and they only show in the portal.')
param alertEmail string = ''

@description('Whether storage is reached through a virtual network alone.')
param privateNetworking bool = false

@description('How much memory an instance has, in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemory int = 2048

@description('How many instances there may be.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('How many days logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

var token = take(uniqueString(subscription().id, resourceGroupName, location), 8)
var tags = {
  'azd-env-name': environmentName
}

resource ownGroup 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: ownGroup
  params: {
    name: 'id-steward-${environmentName}'
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: ownGroup
  params: {
    name: 'ststeward${token}'
    location: location
    tags: tags
    publicAccess: !privateNetworking
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: ownGroup
  params: {
    name: appName
    workspaceName: 'log-steward-${environmentName}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
  }
}

module access 'modules/access.bicep' = {
  name: 'access'
  scope: ownGroup
  params: {
    storageName: storage.outputs.name
    componentName: monitoring.outputs.name
    workspaceName: monitoring.outputs.workspaceName
    principalId: identity.outputs.principalId
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  scope: ownGroup
  params: {
    name: 'steward-${environmentName}'
    location: location
    tags: tags
    storageName: storage.outputs.name
  }
}

var appName = 'func-steward-${environmentName}-${token}'

module app 'modules/app.bicep' = {
  name: 'app'
  scope: ownGroup
  params: {
    name: appName
    location: location
    tags: tags
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    storageName: storage.outputs.name
    deploymentContainer: storage.outputs.deploymentContainer
    connectionString: monitoring.outputs.connectionString
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    instanceMemory: instanceMemory
    maximumInstances: maximumInstances
    readOnly: readOnly
    logsWorkspaceId: empty(activityWorkspaceId) ? monitoring.outputs.workspaceId : activityWorkspaceId
    heartbeatUrl: heartbeatUrl
    noticeUrl: noticeUrl
    ownerUrl: ownerUrl
    fallbackUrl: fallbackUrl
    extraSettings: extraSettings
  }
  dependsOn: [
    access
  ]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: ownGroup
  params: {
    name: appName
    location: location
    tags: tags
    componentId: monitoring.outputs.id
    email: alertEmail
  }
}

@description('The function app, as the runbooks call it.')
output APP string = app.outputs.name

@description('Its resource group, as the runbooks call it.')
output GROUP string = ownGroup.name

@description('Where the app answers, as the runbooks call it.')
output URL string = app.outputs.url

@description('The app\'s identity, to which roles on the estate are assigned.')
output PRINCIPAL_ID string = identity.outputs.principalId

@description('For a terminal that works on the app\'s store.')
output STEWARD_STORE string = storage.outputs.storeUrl

@description('For a terminal that works on the app\'s store: the group that cleanup leaves alone.')
output STEWARD_RESOURCE_GROUP string = ownGroup.id
