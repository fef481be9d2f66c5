"""Operators that a MAC count may meet without a formula, and why they count nothing.

A MAC is one multiplication whose product is added to others: what convolutions, matrix products,
attention and scans consist of. Norms count nothing either (fvcore alone would add 2 per element
for batch norm and 5 for the other norms): in the literature's "FLOPs" they do not appear, and a
batch norm is folded into its convolution when a network is deployed.

Whatever is neither counted nor named here makes a count incomplete.
"""

from __future__ import annotations

ALLOWED: dict[str, tuple[str, ...]] = {
    "activation: evaluated element by element": (
        *("elu", "erf", "gelu", "hardsigmoid", "hardswish", "hardswish_", "hardtanh", "hardtanh_"),
        *("leaky_relu", "leaky_relu_", "log_sigmoid", "mish", "relu6", "sigmoid", "sigmoid_"),
        *("silu", "silu_", "softplus", "tanh", "tanh_", "prelu", "threshold"),
    ),
    "softmax: exponentials and one sum per row": ("softmax", "log_softmax"),
    "arithmetic element by element: no product is added to another": (
        *("abs", "add", "add_", "div", "div_", "exp", "log", "maximum", "minimum", "mul", "mul_"),
        *("neg", "pow", "reciprocal", "rsqrt", "rsub", "sqrt", "square", "sub", "sub_", "where"),
        *("addcmul", "lerp", "cos", "sin", "sign", "clamp_min", "clamp_max"),
    ),
    "normalisation: folded into its neighbours or left out by convention": (
        *("batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"),
        *("native_layer_norm", "linalg_vector_norm", "norm", "var", "std", "var_mean"),
    ),
    "pooling and sums: additions without multiplications": (
        *("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "avg_pool1d"),
        *("avg_pool2d", "max_pool1d", "max_pool2d", "mean", "sum", "amax", "amin", "argmax"),
    ),
    "moves or copies values": (
        *("alias", "broadcast_tensors", "channel_shuffle", "clone", "expand_as", "feature_dropout"),
        *("flip", "im2col", "index_select", "masked_fill_", "meshgrid", "mT", "movedim", "numpy_T"),
        *("pad", "pixel_shuffle", "pixel_unshuffle", "repeat", "repeat_interleave", "reshape_as"),
        *("rot90", "scatter", "swapaxes", "tensor_split", "tile", "tril", "triu", "unflatten"),
        *("unfold", "unsafe_chunk", "unsafe_split", "view_as", "fill_", "zero_", "lift_fresh"),
        *("dropout_", "new_tensor", "reflection_pad2d", "replication_pad2d", "upsample_nearest2d"),
        *("linspace", "scalar_tensor", "tensor", "ones_like", "is_floating_point", "dim", "len"),
    ),
}

REASONS: dict[str, str] = {
    f"aten::{name}": reason for reason, names in ALLOWED.items() for name in names
}
"""Operator as the trace names it, to the reason why it counts no MACs."""
