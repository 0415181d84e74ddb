"""models: what the view gives in, logits out.

In: a name of encoders.ENCODERS, channels, outputs, perhaps masks; perhaps a file of weights.
Out: a torch Module from (B, C, H, W) in [0, 1] to logits (B, F); encoders.both gives masks too.
"""
