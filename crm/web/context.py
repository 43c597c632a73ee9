"""What every page's frame needs: menu, brand, unread count, live address. Each is read only when a template asks for it."""
