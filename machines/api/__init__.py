"""The REST calls about machines, models and work. What all calls share lies in site/api, which also knows their addresses."""
