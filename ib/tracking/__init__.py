"""How clients are tracked to their partner: postbacks both ways."""
