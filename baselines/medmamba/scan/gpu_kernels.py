"""Triton kernels of the selective scan, forward and backward; importing this needs Triton.

A program scans one image for ``BLOCK`` neighbouring channels, one lane each, and for the
directions of one group, one after another. A lane keeps its N states in registers, so a state
never goes through memory in the forward pass. The backward pass keeps the states at the borders of
chunks, runs each chunk again and walks back through it; each lane reads only what it wrote itself.

Letters: B images, L pixels, K directions, E channels, N states. Layouts, contiguous float32:
x, dy (B, L, E); Δ, dΔ (K, B, L, E); A·log₂e (K, N, E); D, Δ's bias (K, E); orders (K, L) int64;
B and C: pixel p of direction k at ``image·s_batch + p·s_pixel + k·s_direction``, N in a row.
"""
# mypy: ignore-errors
# (the language of kernels is Triton's, not Python's)

import triton
import triton.language as tl

_LOG2E = tl.constexpr(1.4426950408889634)
_LN2 = tl.constexpr(0.6931471805599453)


@triton.jit
def _softplus(z):
    """Softplus, relative error 1e-7 down to the smallest steps, and its derivative."""
    negative = z < 0
    e = tl.exp2(tl.where(negative, z, -z) * _LOG2E)  # exp(-|z|), in (0, 1]
    s = e / (e + 2.0)  # log(1 + e) = 2 artanh(s)
    s2 = s * s
    series = 1.0 / 13.0 + s2 * (1.0 / 15.0)
    series = series * s2 + 1.0 / 11.0
    series = series * s2 + 1.0 / 9.0
    series = series * s2 + 1.0 / 7.0
    series = series * s2 + 1.0 / 5.0
    series = series * s2 + 1.0 / 3.0
    series = series * s2 + 1.0
    small = e / (e + 1.0)
    slope = tl.where(negative, small, 1.0 - small)
    return tl.where(negative, 0.0, z) + 2.0 * s * series, slope


@triton.jit
def forward_kernel(
    x,
    delta,
    a2,
    b,
    c,
    d,
    bias,
    orders,
    y,  # (groups, B, L, E), each group's sum over its directions
    images,
    length,
    channels,
    b_batch,
    b_pixel,
    b_direction,
    c_batch,
    c_pixel,
    c_direction,
    PER_GROUP: tl.constexpr,  # directions of a group
    N: tl.constexpr,
    BLOCK: tl.constexpr,
    UNROLL: tl.constexpr,  # steps whose loads are in flight together
):
    image = tl.program_id(0).to(tl.int64)
    lanes = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    group = tl.program_id(2)
    inside = lanes < channels
    x += image * length * channels
    y += (group * images + image) * length * channels
    for j in range(PER_GROUP):
        k = group * PER_GROUP + j
        delta_k = delta + (k * images + image) * length * channels
        b_k = b + image * b_batch + k * b_direction
        c_k = c + image * c_batch + k * c_direction
        bias_k = tl.load(bias + k * channels + lanes, mask=inside, other=0.0)
        d_k = tl.load(d + k * channels + lanes, mask=inside, other=0.0)
        rates = ()
        h = ()
        for n in tl.static_range(N):
            rates = rates + (tl.load(a2 + (k * N + n) * channels + lanes, mask=inside, other=0.0),)
            h = h + (tl.zeros((BLOCK,), tl.float32),)
        for start in range(0, length, UNROLL):
            pixels = ()
            raws = ()
            inputs = ()
            for i in tl.static_range(UNROLL):
                # Steps beyond the end repeat the last pixel; nothing is stored of them.
                pixel = tl.load(orders + k * length + tl.minimum(start + i, length - 1))
                at = pixel * channels + lanes
                pixels = pixels + (pixel,)
                raws = raws + (tl.load(delta_k + at, mask=inside, other=0.0),)
                inputs = inputs + (tl.load(x + at, mask=inside, other=0.0),)
            outputs = ()
            for i in tl.static_range(UNROLL):
                step, _slope = _softplus(raws[i] + bias_k)
                u = step * inputs[i]
                total = d_k * inputs[i]
                after = ()
                for n in tl.static_range(N):
                    driven = u * tl.load(b_k + pixels[i] * b_pixel + n)
                    state = tl.exp2(step * rates[n]) * h[n] + driven
                    total += state * tl.load(c_k + pixels[i] * c_pixel + n)
                    after = after + (state,)
                h = after
                outputs = outputs + (total,)
            for i in tl.static_range(UNROLL):
                at = pixels[i] * channels + lanes
                stored = inside & (start + i < length)
                before = tl.load(y + at, mask=stored & (j > 0), other=0.0)
                tl.store(y + at, before + outputs[i], mask=stored)


@triton.jit
def backward_kernel(
    dy,
    x,
    delta,
    a2,
    b,
    c,
    d,
    bias,
    orders,
    dx,  # (groups, B, L, E)
    ddelta,  # (K, B, L, E)
    da,  # (B, K, N, E)
    db,  # (blocks of channels, B, L, K, N)
    dc,  # as db
    dd,  # (B, K, E)
    dbias,  # as dd
    starts,  # (programs, chunks, N, BLOCK), states at the borders of chunks
    states,  # (programs, CHUNK, N, BLOCK), states before each step of one chunk
    images,
    length,
    channels,
    chunks,
    b_batch,
    b_pixel,
    b_direction,
    c_batch,
    c_pixel,
    c_direction,
    K: tl.constexpr,
    PER_GROUP: tl.constexpr,
    N: tl.constexpr,
    N_PADDED: tl.constexpr,  # the next power of two
    BLOCK: tl.constexpr,
    CHUNK: tl.constexpr,
):
    image = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1)
    group = tl.program_id(2)
    program = (image * tl.num_programs(1) + block) * tl.num_programs(2) + group
    lane = tl.arange(0, BLOCK)
    lanes = block * BLOCK + lane
    inside = lanes < channels
    numbers = tl.arange(0, N_PADDED)
    x += image * length * channels
    dy += image * length * channels
    dx += (group * images + image) * length * channels
    starts += program * chunks * N * BLOCK + lane
    states += program * CHUNK * N * BLOCK + lane
    shared = (block * images + image) * length * K * N  # of db and dc
    for j in range(PER_GROUP):
        k = group * PER_GROUP + j
        order = orders + k * length
        delta_k = delta + (k * images + image) * length * channels
        ddelta_k = ddelta + (k * images + image) * length * channels
        b_k = b + image * b_batch + k * b_direction
        c_k = c + image * c_batch + k * c_direction
        bias_k = tl.load(bias + k * channels + lanes, mask=inside, other=0.0)
        d_k = tl.load(d + k * channels + lanes, mask=inside, other=0.0)
        rates = ()
        h = ()
        carry = ()  # decay_{t+1} dh_{t+1}
        da_k = ()
        for n in tl.static_range(N):
            rates = rates + (tl.load(a2 + (k * N + n) * channels + lanes, mask=inside, other=0.0),)
            h = h + (tl.zeros((BLOCK,), tl.float32),)
            carry = carry + (tl.zeros((BLOCK,), tl.float32),)
            da_k = da_k + (tl.zeros((BLOCK,), tl.float32),)
        dd_k = tl.zeros((BLOCK,), tl.float32)
        dbias_k = tl.zeros((BLOCK,), tl.float32)

        for chunk in range(chunks):  # forward, keeping the states at the borders
            for n in tl.static_range(N):
                tl.store(starts + (chunk * N + n) * BLOCK, h[n])
            for t in range(chunk * CHUNK, tl.minimum((chunk + 1) * CHUNK, length)):
                pixel = tl.load(order + t)
                at = pixel * channels + lanes
                raw = tl.load(delta_k + at, mask=inside, other=0.0) + bias_k
                step, _slope = _softplus(raw)
                u = step * tl.load(x + at, mask=inside, other=0.0)
                after = ()
                for n in tl.static_range(N):
                    driven = u * tl.load(b_k + pixel * b_pixel + n)
                    after = after + (tl.exp2(step * rates[n]) * h[n] + driven,)
                h = after

        for number in range(chunks):  # and back, a chunk at a time
            chunk = chunks - 1 - number
            first = chunk * CHUNK
            steps = tl.minimum(CHUNK, length - first)
            restored = ()
            for n in tl.static_range(N):
                restored = restored + (tl.load(starts + (chunk * N + n) * BLOCK),)
            h = restored
            for i in range(steps):
                pixel = tl.load(order + first + i)
                at = pixel * channels + lanes
                raw = tl.load(delta_k + at, mask=inside, other=0.0) + bias_k
                step, _slope = _softplus(raw)
                u = step * tl.load(x + at, mask=inside, other=0.0)
                after = ()
                for n in tl.static_range(N):
                    tl.store(states + (i * N + n) * BLOCK, h[n])
                    driven = u * tl.load(b_k + pixel * b_pixel + n)
                    after = after + (tl.exp2(step * rates[n]) * h[n] + driven,)
                h = after
            for back in range(steps):
                i = steps - 1 - back
                pixel = tl.load(order + first + i)
                at = pixel * channels + lanes
                raw = tl.load(delta_k + at, mask=inside, other=0.0) + bias_k
                step, slope = _softplus(raw)
                x_t = tl.load(x + at, mask=inside, other=0.0)
                dy_t = tl.load(dy + at, mask=inside, other=0.0)
                u = step * x_t
                du = tl.zeros((BLOCK,), tl.float32)
                through_decay = tl.zeros((BLOCK,), tl.float32)  # of Δ A
                db_t = tl.zeros((N_PADDED,), tl.float32)
                dc_t = tl.zeros((N_PADDED,), tl.float32)
                carried = ()
                da_t = ()
                for n in tl.static_range(N):
                    b_t = tl.load(b_k + pixel * b_pixel + n)
                    c_t = tl.load(c_k + pixel * c_pixel + n)
                    before = tl.load(states + (i * N + n) * BLOCK)
                    decay = tl.exp2(step * rates[n])
                    dh = carry[n] + dy_t * c_t
                    dc_n = tl.sum(dy_t * (decay * before + u * b_t), 0)
                    dc_t = tl.where(numbers == n, dc_n, dc_t)
                    db_t = tl.where(numbers == n, tl.sum(dh * u, 0), db_t)
                    du += dh * b_t
                    dh = dh * decay
                    q = dh * before
                    through_decay += q * rates[n]
                    da_t = da_t + (da_k[n] + q * step,)
                    carried = carried + (dh,)
                carry = carried
                da_k = da_t
                ddelta_t = (through_decay * _LN2 + du * x_t) * slope
                dd_k += dy_t * x_t
                dbias_k += ddelta_t
                tl.store(ddelta_k + at, ddelta_t, mask=inside)
                earlier = tl.load(dx + at, mask=inside & (j > 0), other=0.0)
                tl.store(dx + at, earlier + du * step + d_k * dy_t, mask=inside)
                place = shared + (pixel * K + k) * N + numbers
                tl.store(db + place, db_t, mask=numbers < N)
                tl.store(dc + place, dc_t, mask=numbers < N)

        own = image * K + k
        for n in tl.static_range(N):
            tl.store(da + (own * N + n) * channels + lanes, da_k[n], mask=inside)
        tl.store(dd + own * channels + lanes, dd_k, mask=inside)
        tl.store(dbias + own * channels + lanes, dbias_k, mask=inside)
