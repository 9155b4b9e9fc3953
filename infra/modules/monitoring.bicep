// Logs and telemetry. The component has the app's name, by which the runbooks ask for it.
@description('The name of the Application Insights component: that of the app.')
param name string

@description('The name of the workspace.')
param workspaceName string

@description('The region.')
param location string

@description('Tags of both.')
param tags object

@description('How many days logs are kept.')
param retentionDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    retentionInDays: retentionDays
    sku: {
      name: 'PerGB2018'
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

@description('The name of the workspace.')
output workspaceName string = workspace.name

@description('The id by which the workspace is asked.')
output workspaceId string = workspace.properties.customerId

@description('The resource id of the component.')
output id string = component.id

@description('The name of the component.')
output name string = component.name

@description('Where telemetry goes; it lets nobody in.')
output connectionString string = component.properties.ConnectionString
