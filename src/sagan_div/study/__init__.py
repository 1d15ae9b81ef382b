"""What is studied: params.yaml and overlays -> one validated, typed study."""
