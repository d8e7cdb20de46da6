"""The function framework and the parts that functions and jobs share."""
