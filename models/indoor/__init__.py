"""Networks that tell rooms from gardens: Places365's ResNet, and a small one that ships."""
