// The storage account of the Functions host, of the queues, and of everything that Steward remembers. It has no keys.
@description('The name of the account.')
param name string

@description('The region.')
param location string

@description('Tags of the account.')
param tags object

@description('Whether it can be reached from anywhere, by those whom a role lets in.')
param publicAccess bool

var deployments = 'deployments'
var store = 'steward'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [for container in [
  deployments
  store
]: {
  parent: blobs
  name: container
}]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [for queue in [
  'steward-runs'
  'steward-runs-poison'
]: {
  parent: queueService
  name: queue
}]

@description('The name of the account.')
output name string = account.name

@description('The container that the app is deployed to.')
output deploymentContainer string = deployments

@description('Where runs and reports are kept.')
output storeUrl string = '${account.properties.primaryEndpoints.blob}${store}'
