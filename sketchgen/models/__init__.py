"""Networks: the distribution over the next step, the encoder of the given part, the decoder, checkpoints."""
