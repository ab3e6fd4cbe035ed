// The forward pass of Meso-4 (Afchar et al. 2018) in plain JavaScript: no library, float32, about 60 million products.
// A picture is a Float32Array in the order row, column, channel, as in Keras. A test compares each layer with Keras.
"use strict";

const EPSILON = 1e-3; // of Keras' batch normalization
const POOLS = [2, 2, 2, 4];

// Base64 of float32, lowest byte first -> Float32Array.
function floats(text) {
  return new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

// Convolution with a square kernel and zeros around the picture ("same"), then ReLU.
// input: (side, side, channels); kernel: (k, k, channels, filters); returns (side, side, filters).
function convolve(input, side, kernel, bias) {
  const filters = bias.length;
  const channels = input.length / (side * side);
  const k = Math.round(Math.sqrt(kernel.length / (channels * filters)));
  const half = (k - 1) / 2;
  const output = new Float32Array(side * side * filters);
  const sum = new Float64Array(filters);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      sum.set(bias);
      for (let i = Math.max(0, half - y); i < Math.min(k, side + half - y); i++) {
        for (let j = Math.max(0, half - x); j < Math.min(k, side + half - x); j++) {
          const pixel = ((y + i - half) * side + x + j - half) * channels;
          const weights = (i * k + j) * channels * filters;
          for (let c = 0; c < channels; c++) {
            const value = input[pixel + c];
            const row = weights + c * filters;
            for (let f = 0; f < filters; f++) sum[f] += value * kernel[row + f];
          }
        }
      }
      const place = (y * side + x) * filters;
      for (let f = 0; f < filters; f++) output[place + f] = Math.max(0, sum[f]);
    }
  }
  return output;
}

// Batch normalization of a trained network: each channel is scaled and shifted.
function normalize(input, [gamma, beta, mean, variance]) {
  const scale = gamma.map((value, c) => value / Math.sqrt(variance[c] + EPSILON));
  return input.map((value, i) => (value - mean[i % mean.length]) * scale[i % mean.length] + beta[i % mean.length]);
}

// The largest value of each square of pool x pool places: (side, side, channels) -> (side / pool, side / pool, channels).
function maxPool(input, side, pool) {
  const channels = input.length / (side * side);
  const small = side / pool;
  const output = new Float32Array(small * small * channels).fill(-Infinity);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (y * side + x) * channels;
      const to = (Math.floor(y / pool) * small + Math.floor(x / pool)) * channels;
      for (let c = 0; c < channels; c++) output[to + c] = Math.max(output[to + c], input[from + c]);
    }
  }
  return output;
}

// Each output is a weighted sum of all inputs, and a bias. kernel: (inputs, outputs).
function dense(input, kernel, bias) {
  const sums = Float64Array.from(bias);
  for (let i = 0; i < input.length; i++) {
    for (let j = 0; j < sums.length; j++) sums[j] += input[i] * kernel[i * sums.length + j];
  }
  return Float32Array.from(sums);
}

// All layers for one face: name -> Float32Array. face: (256, 256, 3), red, green, blue in [0, 1].
// weights: name of a layer -> its arrays, as Keras orders them. Dropout does nothing in a trained network.
function meso4(face, weights) {
  const layers = {};
  let x = face;
  let side = Math.sqrt(face.length / 3);
  POOLS.forEach((pool, i) => {
    const block = i + 1;
    layers[`conv${block}`] = convolve(x, side, ...weights[`conv${block}`]);
    layers[`norm${block}`] = normalize(layers[`conv${block}`], weights[`norm${block}`]);
    layers[`pool${block}`] = maxPool(layers[`norm${block}`], side, pool);
    x = layers[`pool${block}`];
    side /= pool;
  });
  layers.hidden = dense(x, ...weights.hidden);
  layers.hidden_leaky = layers.hidden.map((value) => (value > 0 ? value : 0.1 * value)); // LeakyReLU
  layers.logit = dense(layers.hidden_leaky, ...weights.logit);
  layers.p_real = layers.logit.map((value) => 1 / (1 + Math.exp(-value)));
  return layers;
}
