"""What is deployed besides `azd up`: the package, the container, the workflows, the editor."""
