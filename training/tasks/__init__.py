"""What a network learns from: labels, or a teacher's features; losses over both."""
