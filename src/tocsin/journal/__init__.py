"""What was accepted, in order, with its time. `port` is the contract, `local` keeps it in this process."""
