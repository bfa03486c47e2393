"""Recipes: how each model under models/ was made, and how to make it again."""
