"""tasks/embolism: pulmonary embolism on CT angiography: all that only this task knows."""
