package channels

// peerPrograms and rings are none: they are for Linux.
var peerPrograms, rings []contestant
