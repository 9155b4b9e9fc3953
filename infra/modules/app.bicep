// The function app on Flex Consumption, with a plan of its own, and its settings.
@description('The name of the app.')
param name string

@description('The region.')
param location string

@description('Tags of the plan and the app.')
param tags object

@description('The resource id of its identity.')
param identityId string

@description('What it signs in with.')
param clientId string

@description('Its storage account.')
param storageName string

@description('The container that it is deployed to.')
param deploymentContainer string

@description('Where telemetry goes.')
param connectionString string

@description('The subnet that it reaches the network through; empty for none.')
param subnetId string

@description('How much memory an instance has, in MB.')
param instanceMemory int

@description('How many instances there may be.')
param maximumInstances int

@description('Whether every write to Azure is forbidden.')
param readOnly bool

@description('The workspace that is asked for the activity log and for calls of the app.')
param logsWorkspaceId string

@description('What the watchdog calls at each success; empty for none.')
@secure()
param heartbeatUrl string

@description('Where operators are told; empty for nowhere.')
@secure()
param noticeUrl string

@description('The mail server for owners; empty for none.')
@secure()
param ownerUrl string

@description('Where is told what has no owner; empty for nowhere.')
@secure()
param fallbackUrl string

@description('More app settings, by name.')
param extraSettings object

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd finds the app by this tag, which is the name of the service in azure.yaml.
  tags: union(tags, {
    'azd-service-name': 'app'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      alwaysOn: false
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${account.properties.primaryEndpoints.blob}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemory
        maximumInstanceCount: maximumInstances
      }
    }
  }
}

// Whatever is not named here goes with each provisioning; extraSettings is the place for more.
resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(extraSettings, {
    AzureWebJobsStorage__blobServiceUri: account.properties.primaryEndpoints.blob
    AzureWebJobsStorage__queueServiceUri: account.properties.primaryEndpoints.queue
    AzureWebJobsStorage__tableServiceUri: account.properties.primaryEndpoints.table
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: clientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
    AZURE_CLIENT_ID: clientId
    STEWARD_RESOURCE_GROUP: resourceGroup().id
    STEWARD_READ_ONLY: string(readOnly)
    STEWARD_LOGS_WORKSPACE_ID: logsWorkspaceId
    STEWARD_HEARTBEAT_URL: heartbeatUrl
    STEWARD_NOTICE_URL: noticeUrl
    STEWARD_OWNER_URL: ownerUrl
    STEWARD_FALLBACK_URL: fallbackUrl
  })
}

@description('The name of the app.')
output name string = app.name

@description('Where it answers.')
output url string = 'https://${app.properties.defaultHostName}'
