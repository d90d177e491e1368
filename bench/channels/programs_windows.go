package channels

// peerPrograms are none: they are for Linux.
var peerPrograms []contestant
