"""A network that knows the thousand classes of ImageNet, whose weights come with a package: nothing is downloaded."""
