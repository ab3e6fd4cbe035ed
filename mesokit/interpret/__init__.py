"""How networks decide: filters, maximized images, mean activations, explanations, interventions, and their controls."""
