"""The supervisor behind `tidewire run`: start the daemons, watch them, show them, stop them, sum up."""
