"""From events to SQL read models: deletable, rebuilt from the block log. Scopes are enforced here, once."""
