"""Claims of papers about networks, each as a command that confirms or corrects it."""
