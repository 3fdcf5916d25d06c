"""Files that people and channels bring: received with limits, named by content, read by signed addresses."""
