"""Speech measured: recordings with what is said in them, recognition and speech compared by words."""
