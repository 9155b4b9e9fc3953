// What the app's identity may do in its own resource group: nothing but what the host, the queues and the store need.
@description('The storage account.')
param storageName string

@description('The Application Insights component.')
param componentName string

@description('The workspace.')
param workspaceName string

@description('The identity.')
param principalId string

// Names and ids: learn.microsoft.com/azure/role-based-access-control/built-in-roles.
var onStorage = [
  {
    // The host's locks, keys and timers, the deployment package, and the store.
    name: 'Storage Blob Data Owner'
    id: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  }
  {
    // The trigger reads, hides and deletes messages, the output binding sends them, and the host moves them to the poison queue.
    name: 'Storage Queue Data Contributor'
    id: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  }
  {
    // The host's diagnostic events.
    name: 'Storage Table Data Contributor'
    id: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  }
]
var onComponent = [
  {
    // Telemetry, since the component takes none without a sign-in.
    name: 'Monitoring Metrics Publisher'
    id: '3913510d-42f4-4e42-8a64-420c390055eb'
  }
]
var onWorkspace = [
  {
    // The watchdog asks which timers were called; suggested owners need the activity log, where that is sent there.
    name: 'Log Analytics Reader'
    id: '73c42c96-874c-492b-b04d-ab87d138a893'
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource storageRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in onStorage: {
  name: guid(account.id, principalId, role.id)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: role.name
  }
}]

resource componentRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in onComponent: {
  name: guid(component.id, principalId, role.id)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: role.name
  }
}]

resource workspaceRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in onWorkspace: {
  name: guid(workspace.id, principalId, role.id)
  scope: workspace
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: role.name
  }
}]
