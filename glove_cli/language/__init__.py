"""Language models: n-grams and Bengio's network, as a judge of vectors by the text that they help to predict."""
