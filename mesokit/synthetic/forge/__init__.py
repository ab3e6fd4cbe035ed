"""The two forgers, `deepfake` (which loads TensorFlow) and `face2face`, and how a forged face is put into a frame."""
