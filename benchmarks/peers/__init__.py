"""The benchmark's question in other tools' words, and the pinned versions that it is asked of.

NAME.txt holds the whole environment of a peer; none of it is a dependency of this project.
"""
