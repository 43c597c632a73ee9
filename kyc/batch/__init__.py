"""Files with one doubt, side by side: an officer looks at each picture and confirms several in one step."""
