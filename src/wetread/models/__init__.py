"""models: networks: the view's channels in, logits out.

In: a name of encoders.ENCODERS, channels, outputs, perhaps masks; perhaps a file of weights.
Out: a torch Module from (B, C, H, W) in [0, 1] to logits (B, F);
encoders.forward_with_masks gives masks, too.
"""
