"""The parts of `run.py`: each module measures one thing, or holds what several of them need.

A part has `run(context)`, which returns `{"rows": [...]}` and more that JSON can hold, and `tables(result)`, which
returns what the Markdown shows of it. Every long step goes through `Store.once`, so that an interrupted run goes on.
"""
